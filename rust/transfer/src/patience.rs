//! How often one unit of work is tried, and what is done between two tries.

use std::sync::atomic::Ordering;

use crate::backoff::Backoff;
use crate::counters::add;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::{Context, Fault};

/// Wrong bytes may be a broken proxy's doing: twice more, then they are the server's truth.
const CONTENT_TRIES: u32 = 3;

/// Links that expire as fast as they are made are a clock set wrong, not bad luck.
const RENEWALS: u32 = 3;

/// How much has been tried for one unit of work.
#[derive(Debug)]
pub struct Patience {
    backoff: Backoff,
    /// Files that the run had brought at the first trouble.
    files: Option<u64>,
    contents: u32,
    renewals: u32,
}

impl Patience {
    /// Nothing tried yet, of at most `attempts` that bring nothing.
    pub fn new(attempts: u32) -> Self {
        Self {
            backoff: Backoff::new(attempts),
            files: None,
            contents: 0,
            renewals: 0,
        }
    }

    /// Bytes arrived, so the network is well.
    pub fn progress(&mut self) {
        self.backoff.reset();
        self.files = None;
    }

    /// Does what `fault` asks for before another try; an error if no other try is due.
    pub async fn after(
        &mut self,
        context: &Context,
        entry: &mut Entry,
        fault: Fault,
    ) -> Result<()> {
        self.prepare(context, entry, fault).await?;
        add(&context.counters.retries, 1);
        context.fates.again(&entry.name);
        Ok(())
    }

    async fn prepare(&mut self, context: &Context, entry: &mut Entry, fault: Fault) -> Result<()> {
        match fault {
            Fault::Final(error) if error.is_crowded() => self.back_off(context, error).await,
            Fault::Final(error) => Err(error),
            // Its host wants a pause, and there is other work: it is put off until then.
            Fault::Again(error) if context.gate.opens(entry.url.as_deref()).is_some() => Err(error),
            Fault::Again(error) if context.gate.is_closed(entry.url.as_deref()) => Err(error),
            Fault::Again(error) | Fault::Restart(error) => self.back_off(context, error).await,
            Fault::Expired(error, serial) => {
                self.renewals += 1;
                if self.renewals > RENEWALS {
                    return Err(error);
                }
                context
                    .links
                    .renew(&context.http, &context.gate, &context.source, entry, serial)
                    .await
            }
            Fault::Content(error) => {
                self.contents += 1;
                if self.contents >= CONTENT_TRIES {
                    return Err(error);
                }
                if self.contents + 1 == CONTENT_TRIES {
                    let now = context
                        .links
                        .reread(&context.http, &context.gate, &context.source, entry)
                        .await?;
                    *entry = now.ok_or(error)?;
                }
                Ok(())
            }
        }
    }
}

impl Patience {
    async fn back_off(&mut self, context: &Context, error: Error) -> Result<()> {
        let control = &context.control;
        if matches!(error.kind.as_ref(), "network" | "timeout") {
            control.pulse.fault();
        }
        if error.is_crowded() {
            control.crowd();
        }
        let files = context.counters.files_new.load(Ordering::Relaxed);
        let before = *self.files.get_or_insert(files);
        let wait = self.backoff.next().ok_or_else(|| error.clone())?;
        // Others arrive: the rest of the tries are for later, from the back of the queue.
        if self.backoff.is_half_used() && files > before {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        control.budget.retry().await;
        Ok(())
    }
}
