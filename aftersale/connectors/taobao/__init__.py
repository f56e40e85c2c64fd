"""Taobao and Tmall over TOP: calls out (client, refunds) and what comes in (mapping, push, verify)."""
