"""What goes on in the sandbox: orders, applications, buyers, couriers, warehouse, platform. No network."""
