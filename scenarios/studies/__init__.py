"""Studies: a paper's table or figure beside ours, made by one command (``semcast run gai-scn-table1``).

A study is a TOML file of the catalog with ``study = "module"``: the module of this folder reads what the study's arms (runs of
scenarios) measured, or measures links by itself, and answers with `findings.Findings`; `running` makes the folder.
"""
