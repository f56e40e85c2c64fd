"""The commands of whoever keeps an installation running: doctor, backup, restore, instance."""
