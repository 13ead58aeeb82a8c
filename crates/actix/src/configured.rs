//! The builder, told by a file.

use seawall_ratelimit::Store;
use seawall_web::config::{BodyConfig, ConfigError, HeaderDialect, Reload, SeawallConfig, Stage};
use seawall_web::limits::RateLimits;
use seawall_web::request::InvalidCidr;

use crate::live::Live;
use crate::{BodyLimitLayer, RequestIdLayer, Seawall, SeawallBuilder, TraceLayer, stage};

impl<S: Store + Clone> Seawall<S> {
    /// What this configuration says, over this store.
    ///
    /// # Errors
    ///
    /// When it cannot work: the error names the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_actix::Seawall;
    /// use seawall_ratelimit::MemoryStore;
    /// use seawall_web::config::SeawallConfig;
    ///
    /// let read = |text: &str| toml::from_str::<SeawallConfig>(text);
    /// let config = read("deadline = '10s'\nlimits.address = {quota = '9/minute', key = ['address']}")?;
    /// let seawall = Seawall::from_config(MemoryStore::default(), &config)?;
    ///
    /// let reload = seawall.reload();
    /// reload.apply(&read("limits.address = {quota = '5/minute', key = ['address']}")?)?;
    /// assert_eq!(reload.current().limits["address"].quota.limit(), 5);
    ///
    /// let refused = reload.apply(&read("namespace = 'other'")?).unwrap_err();
    /// assert_eq!(refused.key(), "namespace");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_config(store: S, config: &SeawallConfig) -> Result<Self, ConfigError> {
        Ok(Self::builder(store).config(config)?.build()?)
    }
}

impl<S: Store + Clone, A: stage::Stage, I: stage::Stage> Seawall<S, A, I> {
    /// The handle that changes this service and all clones of it, in every worker, while they run.
    #[must_use]
    pub fn reload(&self) -> Reload<S> {
        self.reload.clone()
    }
}

impl<S: Store + Clone, A: stage::Stage, I: stage::Stage> SeawallBuilder<S, A, I> {
    /// Takes over what this configuration says, defaults included. Settings made afterwards go on
    /// top of it, and its limits stand beside those of the builder.
    ///
    /// # Errors
    ///
    /// When it cannot work: the error names the key.
    pub fn config(mut self, config: &SeawallConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let settings = &mut self.settings;
        let ids = &config.request_ids.trusted;
        settings.ids = RequestIdLayer::trusting(ids).map_err(invalid("request_ids.trusted"))?;
        settings.traces = match (&config.traces.trusted, config.traces.enabled) {
            (_, false) => None,
            (None, true) => Some(TraceLayer::new()),
            (Some(trusted), true) => {
                Some(TraceLayer::trusting(trusted).map_err(invalid("traces.trusted"))?)
            }
        };
        settings.namespace.clone_from(&config.namespace);
        settings.dialects = HeaderDialect::set(&config.headers);
        settings.renderer = config.errors.renderer();
        settings.deadline = config.deadline;
        let budgets = config.budgets.then(|| config.proxies.client_ip());
        settings.budgets = budgets.transpose()?;
        settings.body_limit = body_limit(config.body);
        let (before, after) = (Stage::BeforeAuthentication, Stage::AfterAuthentication);
        settings.before.extend(config.limits_at(before)?);
        settings.after.extend(config.limits_at(after)?);
        settings.config = config.clone();
        Ok(self)
    }
}

/// What changes a service made from this configuration.
pub(crate) fn reload<S: Store>(
    config: SeawallConfig,
    live: &Live,
    limits: [&Option<RateLimits<S>>; 2],
) -> Reload<S> {
    let live = live.clone();
    let limits = limits.into_iter().flatten().cloned();
    Reload::new(config, limits, move |deadline, body| {
        live.adjust(deadline, body_limit(body));
    })
}

fn body_limit(body: BodyConfig) -> BodyLimitLayer {
    BodyLimitLayer::new(body.limit).read_within(body.read_within)
}

fn invalid(key: &'static str) -> impl FnOnce(InvalidCidr) -> ConfigError {
    move |error| ConfigError::new(key, error.to_string())
}
