"""Thousands of recordings on one machine or on a Ray cluster: found, labelled, kept part by part, merged.

recordings   what there is to label, longest first
ledger       one part a recording on disk: what is done survives whatever ends the run
labeller     one recogniser, one recording after the other
local, cluster   who calls it: processes of this machine, or Ray Data
merge        the parts, in the order of their names, as one Parquet, CSV or JSONL file
agreement    the rows against labels, where there are any
"""
