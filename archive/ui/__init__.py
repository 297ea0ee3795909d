"""The pages' base template, design system, filters and error pages."""
