"""Where private keys rest: in files of their owner alone, on PKCS#11 tokens, or sealed by two officers' passphrases."""
