"""Where no rank is sharp candidates compete: held-out entries choose one, or combine several.

================  ==================================================================================================
`contest`         which held-out entries decide: random ones, several draws of them, or ones like the gaps
`rounds`          one round: candidates that were fitted to some entries, judged on others
`combine`         choose one, or non-negative weights that predict better than any
`near_exact`      small tables with hardly any noise: `ladder`, levels and ranks by the median of held-out errors
================  ==================================================================================================
"""
