"""Around the playbooks of shipment and logistics: areas couriers reach, notes, wording, reports."""
