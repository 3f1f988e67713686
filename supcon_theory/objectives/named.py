"""Every objective on one page.

    s_ap = <z_a, z_p> / tau        E(X) = sum_{b in X} e^{s_ab}       t(a, p) = log D - s_ap
    own  other views of the sample             P    other rows of the class (own views included)
    ins  rows of other samples                 oth  rows of other classes
    view same view of other samples            M_beta(X) = sum_X e^{(1 + beta) s} / sum_X e^{beta s}
    Q = K (N - 1)                              k    same view of the next sample of the class

The loss is the mean over anchors a of the mean over positives p of t(a, p), except for `supcon_in`
(the logarithm of a mean) and `scl_jiang`, `hscl` (one mean over all pairs).

    id              positives          denominator D
    dcl             own and a itself   E(ins)                     pairs="distinct": own
    nscl            own and a itself   E(oth)                     pairs="distinct": own
    dhel            own                E(view)
    dhel_official   own                E(view), t = 2 log D - s
    n_dhel          own                E(view and oth)
    nt_xent         own                e^s_ap + E(ins)
    nscl_coupled    own                e^s_ap + E(oth)
    n_pairs         k                  e^s_ak + E(oth)
    supcon          P                  E(P) + E(oth)              max_positives=m: the first m of P
    supcon_in       P                  E(P) + E(oth), loss log D - log(E(P) / |P|)
    hucl            own                e^s_ap + Q M_beta(ins)
    h_nscl          own                e^s_ap + |oth| M_beta(oth)
    hscl            P                  e^s_ap + Q M_beta(oth)     positives="own": own
    scl_jiang       P                  e^s_ap + Q M_0(oth)        positives="own": own
    hcl             own                e^s_ap + Q max(e^{-1/tau}, (M_beta(ins) - tau_plus e^s_ap)
                                                                  / (1 - tau_plus))
    debiased        own                hcl with beta = 0

A new objective is a function of a `Batch` that names the sets it needs (`require`), returns the
loss of every anchor, (N, K), or (losses times weights, weights), and is listed below.
"""

from supcon_theory.objectives.coupled import n_pairs, nscl_coupled, nt_xent, supcon, supcon_in
from supcon_theory.objectives.decoupled import dcl, dhel, dhel_official, n_dhel, nscl
from supcon_theory.objectives.hard_negatives import debiased, h_nscl, hcl, hscl, hucl, scl_jiang

PER_ANCHOR = {
    function.__name__: function
    for function in (
        *(dcl, nscl, dhel, dhel_official, n_dhel),
        *(nt_xent, nscl_coupled, n_pairs, supcon, supcon_in),
        *(hucl, h_nscl, hscl, scl_jiang, hcl, debiased),
    )
}
