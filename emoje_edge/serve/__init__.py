"""A page on this machine that shows what is recognised while it happens: skeletons, never a pixel.

hub      what was said so far, and who listens: rows are never dropped, old poses are
server   HTTP on 127.0.0.1 with a token, server-sent events
feed     recognisers over sources, into the hub
"""
