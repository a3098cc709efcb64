"""A folder of images by class.

image_folder    its classes, images and splits
image_files     the image files of a class: regular files, each real folder once
pixels          an image file as pixels of a given size and number of channels
decoded_cache   all its images, decoded once into a memory-mapped file
sent_folder     the folder as another machine sends it, kept in the cache
disk_budget     how much disk the decoded files may take, and which are evicted
"""
