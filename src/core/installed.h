/* Files that come with the program: figures' scripts, experiments. */
#ifndef CORE_INSTALLED_H
#define CORE_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

/* Where `name`, such as "experiments/quick.yaml", lies in the tree that the program was built in, or in the
 * installation that it is part of or was built for. False if it can be read in none of them. */
bool installed_find(const char *name, char *path, size_t size);

#endif
