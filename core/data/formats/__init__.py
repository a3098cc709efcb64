"""The formats of data sets' files.

reading          the images and labels of a data set's files
idx              MNIST's: a magic number, the shape, the values
emnist           one archive of many sets in IDX, with images on their side
cifar            an archive of pickled arrays
svhn             two MATLAB files, one for each split
matlab           arrays in a MATLAB file
pickled_arrays   arrays in a pickle, read without running code
"""
