#include "core/legendre.h"

#include <math.h>
#include <stdbool.h>

void legendre_rule(size_t n, double *node, double *weight)
{
    for (size_t i = 0; i < (n + 1) / 2; i++) {
        double x = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1.0;
        bool found = false;
        for (int newton = 0; newton < 8; newton++) {
            double before = 0.0, p = 1.0;
            for (size_t k = 0; k < n; k++) {
                double next = ((2.0 * (double)k + 1.0) * x * p - (double)k * before) / ((double)k + 1.0);
                before = p;
                p = next;
            }
            slope = (double)n * (before - x * p) / (1.0 - x * x);
            if (found)
                break; /* the slope is that at the node */
            x -= p / slope;
            found = fabs(p) < 1e-9 * fabs(slope); /* a step's error is of the order of the square of the one before */
        }
        if (2 * i + 1 == n)
            x = 0.0;
        node[n - 1 - i] = x;
        node[i] = -x;
        weight[i] = weight[n - 1 - i] = 2.0 / ((1.0 - x * x) * slope * slope);
    }
}
