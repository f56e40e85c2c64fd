"""Work between departments: boards, work orders, parcels on their way back, claims against couriers."""
