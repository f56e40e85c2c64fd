"""Addresses of the boards."""

from django.urls import path

from aftersale.metrics import board

urlpatterns = [
    path("board", board.page, name="board"),
    path("board/data", board.data, name="board-data"),
    path("board/rows", board.rows, name="board-rows"),
]
