/* Modified Bessel functions of the first kind, scaled, as the noncentral chi density needs them: of any order
 * nu = d/2 - 1 >= -1/2; the absolute error of the logarithm is around 1e-16 times the size of its terms where z is
 * above nu/1000 or nu below 40, and up to 1e-6 where the order leaves the function no mass at all. */
#ifndef LAW_BESSEL_H
#define LAW_BESSEL_H

#include <stddef.h>

enum { BESSEL_TERMS = 14 };

struct bessel {
    double order;
    double log_gamma; /* log Gamma(nu + 1) */
    /* The uniform expansion for large orders (DLMF 10.41(ii)) in powers of 1/w, w = sqrt(nu^2 + z^2):
     * u_k(p)/nu^k = w^-k sum_j coefficient[k][j] p^2j, with p = nu/w. It needs w large, not nu. */
    double coefficient[BESSEL_TERMS + 1][BESSEL_TERMS + 1];
    double size[BESSEL_TERMS + 1]; /* of term k, times w^k, at most */
};

void bessel_init(double order, struct bessel *out);

/* out[i] = log(sqrt(2 pi z) exp(-z) I_nu(z)) at z[i] > 0, i < n: -(nu^2 - 1/4)/(2 z) for large z. */
void bessel_log_scaled(const struct bessel *bessel, size_t n, const double *z, double *out);

/* Adds the same plus (nu + 1/2) log(1 + a[i]/b[i]) to out[i], b[i] > 0 and a[i] + b[i] > 0, by two logarithms in
 * place of three. */
void bessel_add_with_power(const struct bessel *bessel, size_t n, const double *z, const double *a, const double *b,
                           double *out);

/* out[i] = log(z^-nu exp(-z) I_nu(z)) at z[i] >= 0: finite at 0. Fastest where the z ascend. */
void bessel_log_entire(const struct bessel *bessel, size_t n, const double *z, double *out);

#endif
