"""Every fact that the gateway can state: one frozen value each, as the record keeps it and as the mail log
words it. A fact is stated once, here; log lines, tracking and counters are renderings of it. Facts carry no
time: the journal stamps them."""
