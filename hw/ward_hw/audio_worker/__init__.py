"""The process that decodes and plays, apart from the agent so that neither a crash nor a stall can touch it.

It is started as ``python -m ward_hw.audio_worker`` by `ward_hw.audio` and spoken to over its standard input
and output (`pipe`). It stays small until it is first used: the decoder is imported with the first file, and
asyncio never.
"""
