"""任务: what a person has started that takes longer than a page may."""
