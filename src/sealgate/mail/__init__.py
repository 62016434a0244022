"""Mail itself: addresses, replies, trace fields, notices. Pure: values in, values and bytes out."""
