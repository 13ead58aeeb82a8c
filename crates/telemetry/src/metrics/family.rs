//! The series of one metric: a bounded table from label values to handles, read without a lock.

use std::sync::{Arc, OnceLock};

use ::metrics::{Key, Label, Metadata, Recorder};

use super::catalogue::{Kind, Metric};
#[cfg(feature = "errors")]
use super::count::Level;
use super::count::{Count, Gatherer};

/// Where series are registered, and whether what they count is gathered before.
#[derive(Clone)]
pub(crate) struct Target {
    /// Else whichever the process has installed.
    own: Option<Arc<dyn Recorder + Send + Sync>>,
    gatherer: Option<Arc<Gatherer>>,
}

impl Target {
    pub(super) fn global() -> Self {
        Self {
            own: None,
            gatherer: None,
        }
    }

    pub(super) fn own(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self {
            own: Some(Arc::new(recorder)),
            gatherer: None,
        }
    }

    pub(super) fn gathered(&self) -> Self {
        Self {
            own: self.own.clone(),
            gatherer: Some(Arc::new(Gatherer::new())),
        }
    }

    pub(super) fn pass_on(&self) {
        if let Some(gatherer) = &self.gatherer {
            gatherer.pass_on();
        }
    }

    fn with<R>(&self, act: impl FnOnce(&dyn Recorder) -> R) -> R {
        match &self.own {
            None => ::metrics::with_recorder(act),
            Some(recorder) => act(&**recorder),
        }
    }
}

/// The series of one metric with `N` labels.
///
/// Registering a series by name costs an allocation for each label and a look into the recorder's
/// map, so each is done once. Entries are never removed, which is what lets them be read by plain
/// loads: a lookup takes neither a lock nor a write to memory that cores share.
///
/// The table is also the bound on cardinality. Where [`MOST_PROBES`] places are taken, label values
/// that are new are all counted as [`OTHER`].
pub(crate) struct Family<H, const N: usize> {
    metric: &'static Metric,
    target: Target,
    slots: Box<[OnceLock<Box<Series<H, N>>>]>,
    other: OnceLock<H>,
}

struct Series<H, const N: usize> {
    labels: [Box<str>; N],
    handle: H,
}

/// The value of every label of the series for what the table had no room for.
pub(crate) const OTHER: &str = "other";

const MOST_PROBES: usize = 64;

/// How many series have a place: powers of two. Of routes, times methods and classes of statuses,
/// there are hundreds; of all else there are tens. A place takes 16 bytes.
fn places(labels: &[&str]) -> usize {
    match labels {
        [] => 1,
        _ if labels.contains(&"route") => 1024,
        _ => 256,
    }
}

impl<H: Handle, const N: usize> Family<H, N> {
    pub(crate) fn new(metric: &'static Metric, target: &Target) -> Self {
        debug_assert_eq!(metric.labels().len(), N, "{}", metric.name());
        debug_assert_eq!(metric.kind(), H::KIND, "{}", metric.name());
        target.with(|recorder| H::describe(recorder, metric));
        Self {
            metric,
            target: target.clone(),
            slots: (0..places(metric.labels()))
                .map(|_| OnceLock::new())
                .collect(),
            other: OnceLock::new(),
        }
    }

    /// The handle of the series with these label values, registered at its first use.
    #[inline]
    pub(crate) fn of(&self, labels: [&str; N]) -> &H {
        let mask = self.slots.len() - 1;
        let start = hash(&labels);
        for probe in 0..MOST_PROBES.min(self.slots.len()) {
            let slot = &self.slots[start.wrapping_add(probe) & mask];
            let series = slot.get_or_init(|| Box::new(self.series(labels)));
            if series.is(&labels) {
                return &series.handle;
            }
        }
        self.other.get_or_init(|| self.register([OTHER; N]))
    }

    #[cold]
    fn series(&self, labels: [&str; N]) -> Series<H, N> {
        Series {
            labels: labels.map(Box::from),
            handle: self.register(labels),
        }
    }

    fn register(&self, values: [&str; N]) -> H {
        let labels = self.metric.labels().iter().zip(values);
        let labels: Vec<_> = labels
            .map(|(name, value)| Label::new(*name, value.to_owned()))
            .collect();
        let key = Key::from_parts(self.metric.name(), labels);
        let level = ::metrics::Level::INFO;
        let metadata = Metadata::new(module_path!(), level, Some(module_path!()));
        H::register(&self.target, &key, &metadata)
    }
}

impl<H, const N: usize> Series<H, N> {
    #[inline]
    fn is(&self, labels: &[&str; N]) -> bool {
        self.labels
            .iter()
            .zip(labels)
            .all(|(ours, label)| is_same(ours.as_bytes(), label.as_bytes()))
    }
}

/// Equality of short texts: a call of the system's comparison takes longer than they do.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    if !words.fold(true, |same, (a, b)| same & (a == b)) {
        return false;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a), Some(b)) => a == b,
        _ => halves(a) == halves(b),
    }
}

/// A text of fewer than eight bytes as one word, the same only for the same text of a length.
#[inline]
fn halves(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
            first << 32 | last
        }
        _ => (bytes.iter()).fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Multiply and rotate, eight bytes at a time: names are short and nobody's to choose but the
/// program's, so speed is all that is asked. The high bits are the good ones.
#[inline]
fn hash<const N: usize>(labels: &[&str; N]) -> usize {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut state = 0_u64;
    let mut add = |word: u64| state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    for label in labels {
        let bytes = label.as_bytes();
        for word in bytes.as_chunks().0 {
            add(u64::from_le_bytes(*word));
        }
        // The last eight bytes, some of them a second time, or all that there are.
        let last = match bytes.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => halves(bytes),
        };
        // The length tells "a" from "\0a".
        add(last ^ (label.len() as u64) << 56);
    }
    usize::try_from(state >> 40).unwrap_or_default()
}

/// A kind of handle of the facade.
pub(crate) trait Handle: Sized {
    const KIND: Kind;

    fn describe(recorder: &dyn Recorder, metric: &Metric);
    fn register(target: &Target, key: &Key, metadata: &Metadata<'_>) -> Self;
}

impl Handle for Count {
    const KIND: Kind = Kind::Counter;

    fn describe(recorder: &dyn Recorder, metric: &Metric) {
        let (name, text) = (metric.name().into(), metric.description().into());
        recorder.describe_counter(name, Some(metric.unit()), text);
    }

    fn register(target: &Target, key: &Key, metadata: &Metadata<'_>) -> Self {
        let counter = target.with(|recorder| recorder.register_counter(key, metadata));
        match &target.gatherer {
            None => Self::Direct(counter),
            Some(gatherer) => gatherer.counter(counter),
        }
    }
}

#[cfg(feature = "errors")]
impl Handle for Level {
    const KIND: Kind = Kind::Gauge;

    fn describe(recorder: &dyn Recorder, metric: &Metric) {
        ::metrics::Gauge::describe(recorder, metric);
    }

    fn register(target: &Target, key: &Key, metadata: &Metadata<'_>) -> Self {
        let gauge = ::metrics::Gauge::register(target, key, metadata);
        match &target.gatherer {
            None => Self::Direct(gauge),
            Some(gatherer) => gatherer.gauge(gauge),
        }
    }
}

#[cfg(any(feature = "breaker", feature = "errors", feature = "health"))]
impl Handle for ::metrics::Gauge {
    const KIND: Kind = Kind::Gauge;

    fn describe(recorder: &dyn Recorder, metric: &Metric) {
        let (name, text) = (metric.name().into(), metric.description().into());
        recorder.describe_gauge(name, Some(metric.unit()), text);
    }

    fn register(target: &Target, key: &Key, metadata: &Metadata<'_>) -> Self {
        target.with(|recorder| recorder.register_gauge(key, metadata))
    }
}

impl Handle for ::metrics::Histogram {
    const KIND: Kind = Kind::Histogram;

    fn describe(recorder: &dyn Recorder, metric: &Metric) {
        let (name, text) = (metric.name().into(), metric.description().into());
        recorder.describe_histogram(name, Some(metric.unit()), text);
    }

    fn register(target: &Target, key: &Key, metadata: &Metadata<'_>) -> Self {
        target.with(|recorder| recorder.register_histogram(key, metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static METRIC: Metric = Metric::counter("t_total", &["route", "b"], "Tests.");

    fn family() -> Family<Count, 2> {
        Family::new(&METRIC, &Target::global())
    }

    fn taken(family: &Family<Count, 2>) -> usize {
        family
            .slots
            .iter()
            .filter(|slot| slot.get().is_some())
            .count()
    }

    #[test]
    fn the_same_labels_have_the_same_series() {
        let family = family();
        for _ in 0..3 {
            family.of(["login", "allowed"]);
            family.of(["login", "denied"]);
            // The border between two labels counts.
            family.of(["logina", "llowed"]);
        }
        assert_eq!(taken(&family), 3);
    }

    #[test]
    fn texts_are_the_same_only_if_each_byte_is() {
        for length in 0..=20 {
            let text: Vec<u8> = (1..=length).collect();
            assert!(is_same(&text, &text.clone()));
            assert!(!is_same(&text, &[&text[..], &[0]].concat()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!is_same(&text, &other), "{length} bytes, {at}");
            }
        }
    }

    #[test]
    fn values_without_end_take_a_bounded_number_of_places() {
        let family = family();
        for i in 0..20_000 {
            family.of([&format!("/made/up/{i}"), "x"]);
        }
        assert!(taken(&family) <= 1024);
        assert!(family.other.get().is_some());
    }

    #[test]
    fn a_few_hundred_series_all_have_a_place() {
        let family = family();
        for route in 0..300 {
            for class in ["2xx", "4xx"] {
                family.of([&format!("/api/things/{route}/{{id}}"), class]);
            }
        }
        assert_eq!(taken(&family), 600);
        assert!(family.other.get().is_none());
    }
}
