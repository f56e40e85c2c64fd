"""Aftersale 售后台."""
