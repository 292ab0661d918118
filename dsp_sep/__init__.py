"""dsp_sep: separate sounds with classic algorithms that unfold into trainable layers."""
