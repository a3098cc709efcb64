"""Where the files of a data set come from, tried in order.

store             from a data folder to checked files: locked, fetched, moved into place
fetching          the sources in order, until one has the files
cache             the files in a data folder, read and checked
mirrors           the mirrors that torchvision names
package           a wheel from the package index
mnist_pickle      the arrays in that wheel, unpickled without running code
"""
