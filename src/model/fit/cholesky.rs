//! Cholesky factors of small dense matrices.

/// Lower factor of a positive definite matrix, row-major.
#[derive(Debug, Clone)]
pub struct Factor {
    n: usize,
    lower: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums let the processor work in parallel; their order is fixed.
    let mut s = [0.0_f64; 4];
    let ((ca, rest_a), (cb, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let tail: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    for (x, y) in ca.iter().zip(cb) {
        s[0] += x[0] * y[0];
        s[1] += x[1] * y[1];
        s[2] += x[2] * y[2];
        s[3] += x[3] * y[3];
    }
    s[0] + s[1] + s[2] + s[3] + tail
}

impl Factor {
    /// Factors an `n × n` matrix; `None` where it is not positive definite.
    #[must_use]
    pub fn new(matrix: &[f64], n: usize) -> Option<Self> {
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            let (done, rest) = lower.split_at_mut(i * n);
            let row = rest.get_mut(..n)?;
            for j in 0..=i {
                let source = *matrix.get(i * n + j)?;
                if j < i {
                    let other = done.get(j * n..j * n + n)?;
                    let value = source - dot(row.get(..j)?, other.get(..j)?);
                    *row.get_mut(j)? = value / other.get(j)?;
                } else {
                    let value = source - dot(row.get(..j)?, row.get(..j)?);
                    if value <= 1e-12 * source.abs() || !value.is_finite() {
                        return None;
                    }
                    *row.get_mut(j)? = value.sqrt();
                }
            }
        }
        Some(Self { n, lower })
    }

    fn row(&self, i: usize) -> &[f64] {
        self.lower.get(i * self.n..(i + 1) * self.n).unwrap_or_default()
    }

    /// The factor itself, row-major, zeros above the diagonal.
    #[must_use]
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// `L x = b`, in place.
    pub fn forward(&self, b: &mut [f64]) {
        for i in 0..self.n {
            let row = self.row(i);
            let sum = dot(row.get(..i).unwrap_or_default(), b.get(..i).unwrap_or_default());
            if let (Some(x), Some(d)) = (b.get_mut(i), row.get(i)) {
                *x = (*x - sum) / d;
            }
        }
    }

    /// `Lᵀ x = b`, in place.
    pub fn backward(&self, b: &mut [f64]) {
        for i in (0..self.n).rev() {
            let row = self.row(i);
            let (head, tail) = b.split_at_mut(i);
            if let (Some(x), Some(d)) = (tail.first_mut(), row.get(i)) {
                *x /= d;
                for (h, l) in head.iter_mut().zip(row) {
                    *h -= l * *x;
                }
            }
        }
    }

    /// `L Lᵀ x = b`, in place.
    pub fn solve(&self, b: &mut [f64]) {
        self.forward(b);
        self.backward(b);
    }
}

/// Diagonal of the inverse of a positive definite matrix; `None` where it is not positive definite.
#[must_use]
pub fn inverse_diagonal(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let factor = Factor::new(matrix, n)?;
    let mut out = Vec::with_capacity(n);
    for i in 0..n {
        let mut unit = vec![0.0; n];
        *unit.get_mut(i)? = 1.0;
        factor.forward(&mut unit);
        out.push(unit.iter().map(|v| v * v).sum());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let factor = Factor::new(&a, 3).unwrap();
        let mut b = [1.0, 2.0, 3.0];
        factor.solve(&mut b);
        for (i, expected) in [1.0, 2.0, 3.0].iter().enumerate() {
            let got: f64 = (0..3).map(|j| a[i * 3 + j] * b[j]).sum();
            assert!((got - expected).abs() < 1e-12);
        }
        assert!(Factor::new(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
