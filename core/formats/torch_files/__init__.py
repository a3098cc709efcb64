"""What torch.save writes, read as data: no object of the file is imported, called or built.

pickle_data   a pickle as plain data, by a stack machine that runs no code
containers    archives and legacy files: a pickle, and the bytes of its storages
tensors       the tensors a pickle describes, read one by one
"""
