/* gnuplot, in a process of its own, which runs a script that comes with the program. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include <stdio.h>
#include <sys/types.h>

#include "core/status.h"

/* A figure that gnuplot is at work on: scripts/SCRIPT.gp, which reads NAME.tsv and NAME.vars.gp in a directory and
 * draws NAME.svg and NAME.png there. */
struct drawing {
    const char *directory, *script, *name;
    pid_t child; /* 0: none */
    FILE *words; /* what gnuplot says */
};

enum { IMAGES = 2 };
extern const char *const gnuplot_images[IMAGES]; /* "svg", "png" */

/* Args: scripts, where the scripts are; *out has the first three members. gnuplot_finish is called in any case.
 * Errors: STATUS_IO; STATUS_EXTERNAL where gnuplot is missing. */
MUST_USE enum status gnuplot_start(const char *scripts, struct drawing *out, struct error *error);

/* Waits. Images of before are gone after an error: an old image must not stay beside new data. Errors:
 * STATUS_EXTERNAL with gnuplot's words; STATUS_IO. */
MUST_USE enum status gnuplot_finish(struct drawing *drawing, struct error *error);

/* The directory of the scripts, which holds `size` bytes. Errors: STATUS_IO. */
MUST_USE enum status gnuplot_scripts(char *path, size_t size, struct error *error);

#endif
