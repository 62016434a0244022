"""Where facts go: the record, complete and for programs, and the mail log, a rendering of it for people.
Nothing here ever holds up mail: what cannot be written is counted, and said as soon as it can be."""
