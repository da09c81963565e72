"""The benchmarks of colour pictures that openseg.pytorch and ContrastiveSeg are scored on, from downloads to folders.

Cityscapes (Cordts et al., CVPR 2016), ADE20K (Zhou et al., CVPR 2017), LIP (Gong et al., CVPR 2017), PASCAL-Context
(Mottaghi et al., CVPR 2014), COCO-Stuff 10k (Caesar et al., CVPR 2018). Each comes from its own site, under its own
terms of use.
"""
