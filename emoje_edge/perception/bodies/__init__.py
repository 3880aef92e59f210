"""Bodies in pictures: a detector finds them, a landmark network looks at each, a tracker keeps them apart.

The networks are BlazePose's (Bazarevsky et al., 2020, arXiv 2006.10204) as MediaPipe 0.10.21 ships them, on ONNX
Runtime.  `estimator` is the way in; MediaPipe itself is the reference (`reference`, an extra).
"""
