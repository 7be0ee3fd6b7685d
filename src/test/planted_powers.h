/* Planted power laws: TV = C d^a h^p and KL = C d^b h^s of `ddpm` and `accelerated` in d = 1, 2, 4, 8. */
#ifndef TEST_PLANTED_POWERS_H
#define TEST_PLANTED_POWERS_H

#include "verdict/claims.h"

enum { PLANTED_DIMENSIONS = 4, PLANTED_LARGEST = 65536, PLANTED_ACCURACIES = 8 };
extern const size_t planted_dimensions[PLANTED_DIMENSIONS];
extern const double planted_accuracies[PLANTED_ACCURACIES];

struct power_law {
    double constant, power_d, power_h; /* TV */
    double kl_power_d, kl_power_h;
    double floor;     /* below which TV does not fall */
    double unsure;    /* the part of it that is radius: TV is known to be at most what is planted */
    double next_in_d; /* C(d) = constant d^power_d (1 + next_in_d/d) */
};

#define KL_RIGHT .kl_power_d = 1.0, .kl_power_h = 2.0 /* KL of d h^2 */
#define DDPM \
    { \
        1.0, 0.5, 1.0, KL_RIGHT \
    }
#define FAST \
    { \
        1.0, 0.5, 2.0, KL_RIGHT \
    }

struct power_world {
    struct power_law ddpm, accelerated;
    int few;            /* only two accuracies */
    int no_accelerated; /* only ddpm in the experiment */
};

double power_tv(const struct power_law *law, double d, size_t T);

/* The smallest T with TV <= accuracy, by bisection; PLANTED_LARGEST + 1 if there is none. */
size_t power_steps(const struct power_law *law, double d, double accuracy);

/* The row of a law at d and T. */
struct record power_row(const struct power_law *law, const char *sampler, size_t d, size_t T);

/* Powers of two, and both sides of every T(d, eps), stored and read back. claims: NULL, or what the experiment says
 * of them. */
void power_evidence(const struct power_world *world, const char *claims, struct evidence *evidence);

#endif
