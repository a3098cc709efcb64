"""The text that primes the text model before a file starts; part of the format."""

PRIMER = (
    b"weight\nbias\nrunning_mean\nrunning_var\nnum_batches_tracked\n"
    b"embedding.weight\nlayers.0.self_attn.in_proj_weight\nlayers.0.self_attn.in_proj_bias\n"
    b"layers.0.self_attn.out_proj.weight\nlayers.0.self_attn.out_proj.bias\n"
    b"layers.0.linear1.weight\nlayers.0.linear1.bias\nlayers.0.norm1.weight\nlayers.0.norm1.bias\n"
    b"rnn.weight_ih_l0\nrnn.weight_hh_l0\nrnn.bias_ih_l0\nrnn.bias_hh_l0\n"
    b"features.0.weight\nfeatures.0.bias\nclassifier.1.weight\nclassifier.1.bias\n"
    b"head.weight\nhead.bias\nout.weight\nout.bias\n0.weight\n0.bias\n2.weight\n2.bias\n"
    b"bn1.weight\nbn1.bias\nbn1.running_mean\nbn1.running_var\nbn1.num_batches_tracked\n"
    b"layer1.0.conv1.weight\nlayer1.0.bn1.weight\nlayer1.0.bn1.bias\nlayer1.0.bn1.running_mean\n"
    b"layer1.0.bn1.running_var\nlayer1.0.bn1.num_batches_tracked\nlayer1.0.conv2.weight\n"
    b"layer2.0.downsample.0.weight\nlayer2.0.downsample.1.weight\n"
    b"conv1.weight\nconv1.bias\nconv2.weight\nconv2.bias\nconv3.weight\nconv3.bias\n"
    b"fc1.weight\nfc1.bias\nfc2.weight\nfc2.bias\nfc3.weight\nfc3.bias\nfc.weight\nfc.bias\n"
    b'{"channels":3,"dataset":"folder","image_size":224,"mean":[0.485,0.456,0.406],'
    b'"std":[0.229,0.224,0.225]}'
    b'{"channels":1,"dataset":"fashion-mnist","image_size":28,"mean":[0.286],"std":[0.353]}'
    b'{"channels":1,"dataset":"mnist","image_size":28,"mean":[0.1307],"ratio":36.88,'
    b'"std":[0.3081]}'
    b'{"channels":1,"dataset":"mnist","image_size":28,"mean":[0.1307],"std":[0.3081]}'
)
