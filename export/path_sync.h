/* path_sync: that a file was made or renamed is to outlive a power cut. Any thread. */
#ifndef EXPORT_PATH_SYNC_H
#define EXPORT_PATH_SYNC_H

/* fsync of the folder that `path` lies in. 0, or -errno. */
int path_sync(const char *path);

#endif
