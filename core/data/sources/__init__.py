"""Where a data set's files come from.

fetching         the sources in turn, until one gives the files
mirrors          a source: the mirrors that torchvision names
package          a source: a wheel of the package index, read by `mnist_pickle`
cache            the files in a data folder, read and checked
store            from a data folder to checked files: locked, fetched, moved into place
"""
