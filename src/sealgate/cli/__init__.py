"""The one-shot commands of `sealgate`: each asks control, or the stored configuration when nothing runs."""
