"""The right to act, beside the desire that the planner works out: autonomy, proposals, pacing and the churn budget."""
