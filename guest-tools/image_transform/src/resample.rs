//! Resizing: a whole-number box shrink where the image is much too big, then a Catmull-Rom filter, first
//! down the columns and then along each row. Only rows of the output are ever held besides the two images.

use crate::picture::Picture;

/// A box shrink leaves at least this many times the wanted size, so that the filter decides the look.
const ROOM: usize = 2;

/// The picture in another size; both sides at least one.
pub(crate) fn resize(picture: &Picture, width: usize, height: usize) -> Picture {
    let by_x = (picture.width / (width * ROOM)).max(1);
    let by_y = (picture.height / (height * ROOM)).max(1);
    if by_x * by_y > 1 { filter(&shrink(picture, by_x, by_y), width, height) } else { filter(picture, width, height) }
}

/// Averages blocks of `by_x` times `by_y` pixels; the rest at the right and the lower edge joins the
/// last block.
fn shrink(picture: &Picture, by_x: usize, by_y: usize) -> Picture {
    let (channels, stride) = (picture.channels, picture.stride());
    let (width, height) = (picture.width / by_x, picture.height / by_y);
    let mut data = Vec::with_capacity(width * height * channels);
    let mut columns = vec![0_u32; stride];
    for y in 0..height {
        let end = if y + 1 == height { picture.height } else { (y + 1) * by_y };
        columns.fill(0);
        for row in y * by_y..end {
            for (sum, sample) in columns.iter_mut().zip(picture.row(row)) {
                *sum += u32::from(*sample);
            }
        }
        for x in 0..width {
            let last = if x + 1 == width { picture.width } else { (x + 1) * by_x };
            let pixels = columns.get(x * by_x * channels..last * channels).unwrap_or_default();
            let count = u32::try_from((last - x * by_x) * (end - y * by_y)).unwrap_or(u32::MAX);
            for channel in 0..channels {
                let sum: u32 = pixels.iter().skip(channel).step_by(channels).sum();
                data.push(u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX));
            }
        }
    }
    Picture { width, height, channels, data }
}

/// For one output position: the first input and the weights of it and its followers.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The taps of every output position along one axis.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let ratio = from as f32 / to as f32;
    let stretch = ratio.max(1.0);
    let support = 2.0 * stretch;
    (0..to)
        .map(|position| {
            let centre = (position as f32 + 0.5) * ratio;
            let first = (centre - support).floor().max(0.0) as usize;
            let end = ((centre + support).ceil() as usize).min(from).max(first + 1);
            let mut weights: Vec<f32> =
                (first..end).map(|input| catmull_rom((input as f32 + 0.5 - centre) / stretch)).collect();
            let sum: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
            Taps { first, weights }
        })
        .collect()
}

/// The Catmull-Rom kernel (Keys 1981 with a = -1/2).
fn catmull_rom(x: f32) -> f32 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

fn filter(picture: &Picture, width: usize, height: usize) -> Picture {
    let channels = picture.channels;
    let columns = taps(picture.width, width);
    let mut data = Vec::with_capacity(width * height * channels);
    let mut mixed = vec![0.0_f32; picture.stride()];
    for tap in taps(picture.height, height) {
        mixed.fill(0.0);
        for (offset, &weight) in tap.weights.iter().enumerate() {
            add_row(&mut mixed, picture.row(tap.first + offset), weight, channels);
        }
        match channels {
            1 => along::<1>(&mixed, &columns, &mut data),
            3 => along::<3>(&mixed, &columns, &mut data),
            _ => along::<4>(&mixed, &columns, &mut data),
        }
    }
    Picture { width, height, channels, data }
}

/// Adds a weighted row; colours count by their alpha, so that hidden pixels do not bleed.
fn add_row(mixed: &mut [f32], row: &[u8], weight: f32, channels: usize) {
    if channels == 4 {
        for (sum, pixel) in mixed.as_chunks_mut::<4>().0.iter_mut().zip(row.as_chunks::<4>().0) {
            let alpha = weight * f32::from(pixel[3]);
            for channel in 0..3 {
                sum[channel] += alpha * f32::from(pixel[channel]) / 255.0;
            }
            sum[3] += alpha;
        }
    } else {
        for (sum, sample) in mixed.iter_mut().zip(row) {
            *sum += weight * f32::from(*sample);
        }
    }
}

/// Mixes along a row and appends the samples.
fn along<const N: usize>(mixed: &[f32], columns: &[Taps], data: &mut Vec<u8>) {
    let (pixels, _) = mixed.as_chunks::<N>();
    for tap in columns {
        let mut sums = [0.0_f32; N];
        for (pixel, weight) in pixels.iter().skip(tap.first).zip(&tap.weights) {
            for channel in 0..N {
                sums[channel] += weight * pixel[channel];
            }
        }
        if N == 4 && sums[3] > 0.0 {
            let back = 255.0 / sums[3];
            sums[..3].iter_mut().for_each(|sum| *sum *= back);
        }
        // The cast saturates, which is what overshoot of the filter needs.
        data.extend(sums.map(|sum| (sum + 0.5) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests::grey;

    #[test]
    fn a_flat_picture_stays_flat() {
        for channels in [1, 3, 4] {
            let picture = Picture { width: 50, height: 40, channels, data: vec![200; 50 * 40 * channels] };
            for (width, height) in [(7, 3), (50, 40), (123, 77), (1, 1)] {
                let resized = resize(&picture, width, height);
                assert_eq!(resized.data, vec![200; width * height * channels], "{channels} {width}x{height}");
            }
        }
    }

    #[test]
    fn a_ramp_stays_a_ramp() {
        let ramp: Vec<u8> = (0..=255).collect();
        let half = resize(&grey(256, &ramp), 128, 1);
        for (x, sample) in half.data.iter().enumerate().take(126).skip(2) {
            assert!((f32::from(*sample) - (2.0 * x as f32 + 0.5)).abs() <= 1.0, "{x}: {sample}");
        }
    }

    #[test]
    fn a_big_shrink_keeps_the_mean() {
        let data: Vec<u8> = (0..1000 * 10).map(|at| if at % 2 == 0 { 0 } else { 200 }).collect();
        assert_eq!(resize(&grey(1000, &data), 10, 1).data, [100; 10]);
    }

    #[test]
    fn hidden_colours_do_not_bleed() {
        let picture = Picture { width: 2, height: 1, channels: 4, data: vec![255, 0, 0, 255, 0, 255, 0, 0] };
        assert_eq!(&resize(&picture, 1, 1).data[..3], [255, 0, 0]);
    }
}
