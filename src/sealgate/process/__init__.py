"""The processes of one gateway: the supervisor that holds the listening sockets and outlives everything,
its children (control and the mail workers), the channel between each of them and it, and the two things
that must be counted for the gateway as a whole: leases and ids."""
