"""Bayes' rule: generators become classifiers, and classifiers with a prior generate."""
