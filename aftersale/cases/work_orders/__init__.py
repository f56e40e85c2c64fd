"""The one writer of work orders, of what is done about parcels on their way back, and of claims against couriers."""
