//! OpenEXR reading and the images made from it.
