/* Ratios by which a loss of speed is noticed: each compares some work with a bare loop of the same run. */
#ifndef BENCH_GUARDS_H
#define BENCH_GUARDS_H

struct guard {
    const char *name;
    double (*ratio)(int rounds);
};

/* Ends with name == NULL. */
extern const struct guard guards[];

#endif
