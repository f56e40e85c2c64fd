"""Appeals against what the platform decided: what no decision table says (requirements group K).

- `windows`: from when until when an appeal may be filed, read off the clocks of the case.
- `items`: several items in one appeal: which are in vain, what their results change, when it is closed.
- `complaints`: the orders and the monthly chances of complaints about malicious orders.
- `addresses`: whether the return address was supplied in time.
- `outlook`: what is predicted of an appeal, and which open cases are likeliest to reach the platform.
"""
