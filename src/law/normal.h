/* Divergences between Gaussians on the line in closed form: p = N(0, 1), q = N(shift, exp(log_variance)), that is, q
 * in units of p's standard deviation around p's mean. Written so that digits survive where q is next to p, and where
 * one of the two is much narrower. */
#ifndef LAW_NORMAL_H
#define LAW_NORMAL_H

/* exp(x) - 1 - x: its digits survive at x = 1e-10. */
double expm1_minus(double x);

/* P(a < Z < b), a <= b, without cancellation in the tails. */
double normal_between(double a, double b);

struct normal {
    double log_variance, shift;
    double log_variance_error, shift_error; /* radii */
};

/* A number and its estimated radius: the true value is expected within value +- error (src/README.md). */
struct measured {
    double value, error;
};

/* TV between q and any Gaussian within the radii is at most half of this, and it bounds sqrt(E_q (d log q)^2). */
double normal_radius(const struct normal *q);

/* TV(p, q), in [0, 1]. */
struct measured normal_tv(const struct normal *q);

/* What adds up over the coordinates of independent ones: KL(p || q), KL(q || p), log(1 + chi2(q || p)), which is
 * infinite where the variance of q is at least 2, and -log of the affinity, the integral of sqrt(p q). */
enum { NORMAL_KL_P_Q, NORMAL_KL_Q_P, NORMAL_LOG_CHI2, NORMAL_LOG_AFFINITY, NORMAL_SUMS };
void normal_sums(const struct normal *q, struct measured out[NORMAL_SUMS]);

#endif
