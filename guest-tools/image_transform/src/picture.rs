//! Pixels, and the changes that only move or mix them.

/// An image of 8-bit samples, row by row, channels interleaved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// 1 grey, 3 RGB, 4 RGB and alpha (not premultiplied).
    pub(crate) channels: usize,
    /// `width * height * channels` samples.
    pub(crate) data: Vec<u8>,
}

impl Picture {
    /// Samples in a row.
    pub(crate) fn stride(&self) -> usize {
        self.width * self.channels
    }

    /// The samples of row `y`; empty beyond the last.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        self.data.get(y * self.stride()..(y + 1) * self.stride()).unwrap_or_default()
    }

    /// Keeps the part that starts at (`x`, `y`), which must lie inside, in place.
    pub(crate) fn crop(&mut self, x: usize, y: usize, width: usize, height: usize) {
        let (stride, kept) = (self.stride(), width * self.channels);
        for row in 0..height {
            let start = (y + row) * stride + x * self.channels;
            self.data.copy_within(start..start + kept, row * kept);
        }
        self.data.truncate(kept * height);
        self.data.shrink_to_fit();
        (self.width, self.height) = (width, height);
    }

    /// Turns clockwise by `quarters` of a full turn.
    pub(crate) fn rotate(&mut self, quarters: u32) {
        match quarters % 4 {
            1 => {
                self.transpose();
                self.flip_horizontal();
            }
            2 => {
                self.flip_horizontal();
                self.flip_vertical();
            }
            3 => {
                self.transpose();
                self.flip_vertical();
            }
            _ => {}
        }
    }

    /// Swaps rows and columns.
    pub(crate) fn transpose(&mut self) {
        match self.channels {
            1 => self.transpose_pixels::<1>(),
            3 => self.transpose_pixels::<3>(),
            _ => self.transpose_pixels::<4>(),
        }
    }

    /// In tiles, so that both sides stay in the cache.
    fn transpose_pixels<const N: usize>(&mut self) {
        const TILE: usize = 32;
        let (width, height) = (self.width, self.height);
        let mut turned = vec![0_u8; self.data.len()];
        let (from, _) = self.data.as_chunks::<N>();
        let (to, _) = turned.as_chunks_mut::<N>();
        for tile_y in (0..height).step_by(TILE) {
            for tile_x in (0..width).step_by(TILE) {
                for x in tile_x..(tile_x + TILE).min(width) {
                    for y in tile_y..(tile_y + TILE).min(height) {
                        to[x * height + y] = from[y * width + x];
                    }
                }
            }
        }
        self.data = turned;
        (self.width, self.height) = (height, width);
    }

    /// Mirrors left and right.
    pub(crate) fn flip_horizontal(&mut self) {
        match self.channels {
            1 => self.data.chunks_exact_mut(self.width).for_each(<[u8]>::reverse),
            3 => self.mirror_rows::<3>(),
            _ => self.mirror_rows::<4>(),
        }
    }

    fn mirror_rows<const N: usize>(&mut self) {
        let stride = self.stride();
        for row in self.data.chunks_exact_mut(stride) {
            row.as_chunks_mut::<N>().0.reverse();
        }
    }

    /// Mirrors top and bottom.
    pub(crate) fn flip_vertical(&mut self) {
        let stride = self.stride();
        let (upper, lower) = self.data.split_at_mut(self.height / 2 * stride);
        for (one, other) in upper.chunks_exact_mut(stride).zip(lower.chunks_exact_mut(stride).rev()) {
            one.swap_with_slice(other);
        }
    }

    /// Luma of ITU-R BT.601, as TV and JPEG define it. An alpha channel is laid over white.
    pub(crate) fn greyscale(&mut self) {
        self.flatten();
        if self.channels != 3 {
            return;
        }
        for pixel in 0..self.width * self.height {
            if let Some(&[red, green, blue]) = self.data.get(pixel * 3..pixel * 3 + 3) {
                let luma = (u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000;
                self.data[pixel] = u8::try_from(luma).unwrap_or(u8::MAX);
            }
        }
        self.data.truncate(self.width * self.height);
        self.data.shrink_to_fit();
        self.channels = 1;
    }

    /// Lays an image with alpha over white, for formats without it.
    pub(crate) fn flatten(&mut self) {
        if self.channels != 4 {
            return;
        }
        for pixel in 0..self.width * self.height {
            if let Some(&[red, green, blue, alpha]) = self.data.get(pixel * 4..pixel * 4 + 4) {
                let over = |sample: u8| {
                    let mixed = u32::from(sample) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127;
                    u8::try_from(mixed / 255).unwrap_or(u8::MAX)
                };
                self.data[pixel * 3..pixel * 3 + 3].copy_from_slice(&[over(red), over(green), over(blue)]);
            }
        }
        self.data.truncate(self.width * self.height * 3);
        self.data.shrink_to_fit();
        self.channels = 3;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A grey picture.
    pub(crate) fn grey(width: usize, data: &[u8]) -> Picture {
        Picture { width, height: data.len() / width, channels: 1, data: data.to_vec() }
    }

    #[test]
    fn turns_follow_the_clock() {
        let mut picture = grey(3, &[1, 2, 3, 4, 5, 6]);
        picture.rotate(1);
        assert_eq!(picture, grey(2, &[4, 1, 5, 2, 6, 3]));
        picture.rotate(2);
        assert_eq!(picture, grey(2, &[3, 6, 2, 5, 1, 4]));
        picture.rotate(1);
        assert_eq!(picture, grey(3, &[1, 2, 3, 4, 5, 6]));
        picture.rotate(3);
        assert_eq!(picture, grey(2, &[3, 6, 2, 5, 1, 4]));
    }

    #[test]
    fn mirrors_of_an_odd_number_of_rows() {
        let mut picture = grey(2, &[1, 2, 3, 4, 5, 6]);
        picture.flip_vertical();
        assert_eq!(picture.data, [5, 6, 3, 4, 1, 2]);
        picture.flip_horizontal();
        assert_eq!(picture.data, [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn pixels_of_several_channels_stay_whole() {
        let mut picture = Picture { width: 2, height: 1, channels: 3, data: vec![1, 2, 3, 4, 5, 6] };
        picture.flip_horizontal();
        assert_eq!(picture.data, [4, 5, 6, 1, 2, 3]);
        picture.rotate(1);
        assert_eq!((picture.width, picture.height, picture.data), (1, 2, vec![4, 5, 6, 1, 2, 3]));
    }

    #[test]
    fn a_part_is_cut_out() {
        let mut picture = grey(4, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        picture.crop(1, 1, 2, 2);
        assert_eq!(picture, grey(2, &[5, 6, 9, 10]));
    }

    #[test]
    fn grey_is_luma_over_white() {
        let mut picture = Picture { width: 2, height: 1, channels: 4, data: vec![255, 0, 0, 255, 0, 0, 0, 0] };
        picture.greyscale();
        assert_eq!(picture, grey(2, &[76, 255]));
    }
}
