//! The way to the database: a pool, and how long anything may take on it.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::time::timeout;
use tokio_postgres::{Config, NoTls};

use crate::error::{ConnectError, Error};

/// How long a connection, and how long a call, may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) operation: Duration,
}

#[derive(Clone)]
pub(crate) struct Link {
    pool: Pool,
    timeouts: Timeouts,
}

impl Link {
    pub(crate) fn to(url: &str, most: usize, timeouts: Timeouts) -> Result<Self, ConnectError> {
        let mut config: Config = url.parse().map_err(ConnectError::address)?;
        config.connect_timeout(timeouts.connect);
        // A peer that vanished without a word is noticed in seconds instead of a quarter of an hour.
        config.tcp_user_timeout(Duration::from_secs(3));
        if config.get_application_name().is_none() {
            config.application_name("seawall");
        }
        let recycle = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let session = session(timeouts.operation);
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycle))
            .max_size(most)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(timeouts.connect))
            .post_create(Hook::async_fn(move |client, _| {
                let session = session.clone();
                Box::pin(async move {
                    client
                        .batch_execute(&session)
                        .await
                        .map_err(HookError::Backend)
                })
            }))
            .build()
            .expect("a pool with a runtime can keep timeouts");
        Ok(Self { pool, timeouts })
    }

    pub(crate) const fn over(pool: Pool, timeouts: Timeouts) -> Self {
        Self { pool, timeouts }
    }

    /// Waits until there is a connection.
    pub(crate) async fn reach(&self) -> Result<(), ConnectError> {
        let limit = self.timeouts.connect;
        let connected = match timeout(limit, self.pool.get()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Error::timeout(limit)),
        };
        connected.map_err(ConnectError::unreachable)
    }

    /// Does `call` over one connection, within the operation timeout. Nothing is ever sent twice,
    /// since it may have been carried out.
    pub(crate) async fn call<T>(
        &self,
        call: impl AsyncFnOnce(&Client) -> Result<T, Error> + Send,
    ) -> Result<T, Error>
    where
        T: Send,
    {
        let limit = self.timeouts.operation;
        let mut client = None;
        let work = async {
            let client = client.insert(self.pool.get().await?);
            call(client).await
        };
        match timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => {
                // What it is busy with stands before all that others would send over it.
                client.map(Object::take);
                Err(Error::timeout(limit))
            }
        }
    }

    /// Runs statements that take as long as they take.
    pub(crate) async fn script(&self, statements: &str) -> Result<(), Error> {
        let client = self.pool.get().await?;
        let patient = format!("BEGIN; SET LOCAL statement_timeout = 0; {statements}; COMMIT");
        let done = client.batch_execute(&patient).await;
        if done.is_err() {
            // It may be left within the failed transaction.
            drop(Object::take(client));
        }
        Ok(done?)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// What each session is set to. A statement that we have given up on holds its locks no longer than
/// that; decisions see what others have committed while they waited for a lock; and what was answered
/// is on disk, where the server would answer before it is.
fn session(limit: Duration) -> String {
    // Zero would mean no limit at all.
    let ms = limit.as_millis().clamp(1, i32::MAX as u128);
    format!(
        "SET statement_timeout = {ms}; SET default_transaction_isolation = 'read committed'; \
         SET default_transaction_read_only = off; \
         SELECT set_config('synchronous_commit', 'on', false) \
          WHERE current_setting('synchronous_commit') = 'off'"
    )
}
