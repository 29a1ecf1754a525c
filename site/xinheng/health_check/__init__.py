"""企业信用风险健康检查: a score that explains itself and says how sure it is. Rules only; pages stand above."""
