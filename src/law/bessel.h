/* Modified Bessel functions of the first kind, scaled, as the noncentral chi density needs them: of any order
 * nu = d/2 - 1 >= -1/2; the absolute error of the logarithm is around 1e-16 times the size of its terms where z is
 * above nu/1000 or nu below 40, and up to 1e-6 where the order leaves the function no mass at all. */
#ifndef LAW_BESSEL_H
#define LAW_BESSEL_H

#include <stdbool.h>
#include <stddef.h>

enum { BESSEL_TERMS = 14, BESSEL_PANELS = 32, BESSEL_NODES = 16 };

/* A polynomial in u = (z - centre)/half_width. */
struct bessel_panel {
    double centre, inverse; /* of the half-width */
    double coefficient[BESSEL_NODES];
};

struct bessel {
    double order;
    double log_gamma; /* log Gamma(nu + 1) */
    /* The uniform expansion for large orders (DLMF 10.41(ii)) in powers of 1/w, w = sqrt(nu^2 + z^2):
     * u_k(p)/nu^k = w^-k sum_j coefficient[k][j] p^2j, with p = nu/w. It needs w large, not nu. */
    double coefficient[BESSEL_TERMS + 1][BESSEL_TERMS + 1];
    double size[BESSEL_TERMS + 1]; /* of term k, times w^k, at most */
    /* Of low orders: log((1 + z)^(nu + 1/2) z^-nu exp(-z) I_nu(z)) up to z = 255, four panels an octave of 1 + z. It
     * is analytic but at -1 and the zeros of I_nu, none nearer to 0 than i pi/2: from a panel's centre some eight
     * half-widths away. */
    bool low;
    struct bessel_panel panel[BESSEL_PANELS];
};

void bessel_init(double order, struct bessel *out);

/* out[i] = log(sqrt(2 pi z) exp(-z) I_nu(z)) at z[i] > 0, i < n: -(nu^2 - 1/4)/(2 z) for large z. */
void bessel_log_scaled(const struct bessel *bessel, size_t n, const double *z, double *out);

/* Adds the same plus (nu + 1/2) log(1 + a[i]/b[i]) to out[i], b[i] > 0 and a[i] + b[i] > 0, by two logarithms in
 * place of three. */
void bessel_add_with_power(const struct bessel *bessel, size_t n, const double *z, const double *a, const double *b,
                           double *out);

/* out[i] = log(z^-nu exp(-z) I_nu(z)) at z[i] >= 0: finite at 0. */
void bessel_log_entire(const struct bessel *bessel, size_t n, const double *z, double *out);

#endif
