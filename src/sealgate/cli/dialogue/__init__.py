"""`sealgate cli`: the conversation in the words of AsyncOS, typed or piped."""
